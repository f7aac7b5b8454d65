"""Speed of the product beside bare SQL, measured in the same run."""
