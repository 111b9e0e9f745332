"""How much the tests of this folder do; more in a long run, by two variables of the environment."""

import os

KILLS = int(os.environ.get("SHOUTGRAPH_KILLS", "8"))
"""How often servers are killed in all."""

EXAMPLES = int(os.environ.get("SHOUTGRAPH_EXAMPLES", "4"))
"""Inputs of each root field; everyone sends each of them."""

LONG = "SHOUTGRAPH_EXAMPLES" in os.environ
"""Whether inputs are drawn anew each time; a short run sends the same ones."""

KILLING_S = 60 + 10 * KILLS
FUZZING_S = 60 + 10 * EXAMPLES
