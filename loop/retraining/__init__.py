"""From what was served lately to a new champion, or to the reasons why there is none."""
