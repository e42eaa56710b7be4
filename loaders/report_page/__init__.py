"""What all pages of reports share: how pictures are drawn and saved, templates, what needs attention."""
