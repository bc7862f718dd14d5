"""How fast the portal is, as ratios against a bare baseline measured in the same run."""
