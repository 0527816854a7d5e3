"""What is added to the commands of pages so that one takes seconds: the same work, less of it."""

ENCODER = "tiny-encoder"
"""A folder in the world."""
NETWORK = f"--encoder {ENCODER} --epochs 1"
FIT = f"{NETWORK} --max-prompts 100 --unlabelled-prompts 100 --distil-epochs 1"
STUDY = "--trials 1 --trial-prompts 64 --trial-validation-prompts 32"
SIMULATION = "--requests 40 --max-num-seqs 8 --repeats 2"
SWEEP = "--loads 1 --max-num-seqs 8 --max-simulated-tokens 100000"
MARGINS = ("tau", "gain", "calibration", "tenant", "simulation", "memory")
JUDGED = f"--simulated-tokens 2000 --least-requests 20 {' '.join(f'--{one}-margin 9' for one in MARGINS)}"
PATIENT = "--encoder-ms 1000 --instant-ms 1000 --slowdown 1000"
"""No gate shall turn on how busy the machine is, nor on which of two such rankers is the better one."""

SMALLER = {
    "train": FIT,
    "ablate": f"{NETWORK} --max-prompts 100 --losses margin_ranking --min-length-differences 0.1 --seeds 2",
    "cross-validate": f"{NETWORK} --folds 2 --repeats 1",
    "evaluate": "--max-prompts 100",
    "promote": f"{JUDGED} {PATIENT} --max-requests 400",
    "retrain": f"{NETWORK} {JUDGED} {PATIENT} --max-requests 1000",
    "what-if": f"{SWEEP} --taus 0.6 --patiences-s 120 --seqs-factors 1 --max-requests 100 --sweep-requests 50",
    "simulate": f"{SIMULATION} --requests 100 --part all --low-load-requests 5",
    "fleet": f"{SIMULATION} --processes 1",
    "shadow": f"{SWEEP} --max-requests 300",
    "yesterday": "--max-requests 300 --max-simulated-tokens 100000",
    "scoring": "--max-prompts 20",
    "collect": "--max-tokens 16",
}
"""Options that stand last, and so count, whatever a page says before them."""


def smaller(words: list[str]) -> list[str]:
    """The words of a command with these options."""
    study = STUDY if any(one.startswith("--trials") for one in words) else ""
    return [*words, *SMALLER.get(words[0], "").split(), *study.split()]
