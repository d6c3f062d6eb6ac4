"""Clear to Send: an SMS platform on which nothing goes out unless it may."""

__version__ = "0.1.0"
