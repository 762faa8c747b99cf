"""What people may see: the painted public view, the reviewer's mosaic, the sealed clip. Never a picture of anybody."""
