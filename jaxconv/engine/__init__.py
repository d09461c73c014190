"""How one convolution is computed: a problem, a plan, a primitive, and one file a method."""
