"""From answers to what people read: a comparison with intervals, sentences, plots, a page."""
