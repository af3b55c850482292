"""Parts of exporting: what is drawn on a page, the menu under a chart, the choices of a review."""
