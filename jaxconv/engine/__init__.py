"""How one convolution is computed: a problem, a plan, a primitive, and one file per method.

`primitive.convolution` takes operands in lax's layout and a `How`; `planning.plan` chooses; a `Plan`
runs.
The rooms above import `how`, `planning`, `preparation`, `primitive`, `problem` and `methods.METHODS`.
"""
