"""What a 95 % interval is, everywhere the same. Needs no torch."""

Z = 1.96
"""Half the width of a 95 % interval, in standard errors of a normal."""


def wilson(successes: float, count: int, z: float = Z) -> tuple[float, float]:
    """The Wilson score interval of a share p = successes / count, in [0, 1].

    (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n); all of [0, 1] if nothing was counted.
    Source: Wilson, "Probable inference, the law of succession, and statistical inference", 1927,
    https://doi.org/10.1080/01621459.1927.10502953
    """
    if count == 0:
        return 0.0, 1.0
    p, spread = successes / count, z * z / count
    centre = p + spread / 2
    reach = z * (p * (1 - p) / count + spread / (4 * count)) ** 0.5
    return max(0.0, (centre - reach) / (1 + spread)), min(1.0, (centre + reach) / (1 + spread))
