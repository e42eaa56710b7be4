"""What kind of variables objects are: periods, trends, and a hint of the class."""
