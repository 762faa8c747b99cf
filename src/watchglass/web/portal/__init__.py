"""The portal: public, staff and oversight pages, rendered on the server."""
