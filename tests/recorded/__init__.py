"""The readers of answers, held against recorded answers and against independent readers."""
