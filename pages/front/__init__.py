"""What stands in front of the pages: a guard that all requests and websockets pass, and our own routes."""
