"""What the docs show: pictures of the product, drawn and photographed from what it has left behind. For its makers."""
