"""What ``watchglass paint`` needs of the floors below. By itself, for one command needs it and it is slow to import."""

from watchglass.runtime.paint.file import Order, backdrop_beside, paint_file
from watchglass.runtime.paint.scene import Marks

__all__ = ["Marks", "Order", "backdrop_beside", "paint_file"]
