"""The site's reference: what docs/reference/ leaves open is filled in from the code whenever the site is built."""
