"""J3O decomposed (ours): at a price of the cloud's computing, a server and its clients are a problem of their own."""
