"""How it is judged: references, statistics, sequential evidence, verdicts, scores and weights."""
