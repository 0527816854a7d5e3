"""Fresh requests: what was answered lately, by which rankers are judged."""
