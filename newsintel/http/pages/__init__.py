"""The pages for people: plain values in, finished HTML out."""
