"""Reading and writing the records of any object."""
