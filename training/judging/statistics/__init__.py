"""What prompts say of a ranker, and how surely: pairs of certain order, intervals over groups, differences."""
