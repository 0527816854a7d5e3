"""The report: one self-contained HTML page, for a browser, a phone and paper."""
