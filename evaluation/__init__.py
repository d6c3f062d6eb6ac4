"""How well the policy decides: labelled texts, the scoring of the engine on them, and the training of its model."""
