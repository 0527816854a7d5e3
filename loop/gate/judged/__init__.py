"""On which requests rankers are judged: fresh ones that none of them was trained on."""
