"""Replaying requests against a placement: traces, a discrete-event simulator, and the metrics of its results.

- ``traces``: the one reader and writer of request traces; ``generators`` makes seeded ones, ``azure`` reads
  public arrival files.
- ``plan``: what each request class does, stage by stage, under a placement and a link model, as flat arrays.
- ``event_loop``: the compiled event loop over those arrays; knows queues and successors, nothing about
  models.
- ``batching``: the rule by which devices form batches, and the contract of what these take; ``batch_loop``: the
  event loop of devices that do; ``profiled_batches``: batch curves from profiles.
- ``simulator``: instance + routes + trace in, two tables out (a row a request, a row a stage).
- ``metrics``: percentiles, throughput, attainment and utilisation from these tables, after the fact.

The queueing rules and link models are our definition; the papers' abstracts do not give any.
"""
