"""What the page of an object in the browser asks for: a cutout of a reference image, and a periodogram."""
