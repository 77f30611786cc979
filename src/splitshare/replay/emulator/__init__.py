"""Running a placement instead of simulating it: a process a device, real tensors, shaped links (definitions ours).

- ``wire``: messages (a small JSON header, safetensors bytes) and their bounds; ``program``: what a worker is told.
- ``engine``: what a device does with requests, without any network; ``compute``: recorded or real modules.
- ``service``, ``sender``, ``worker``: the gRPC server around an engine, its outgoing links, its process.
- ``relay``: shaped links as a user-space process; ``network``: the testbed that they make. ``namespaces``: the same in
  network namespaces, which ``enter_namespace`` starts processes in and ``kernel_links`` joins.
- ``memory_limits``: control groups; ``cleaner``: removes what a run has made, however it ends.
- ``client``, ``driver``: the open-loop replay of a trace over workers, wherever they run; ``outcome``: its tables.
- ``link_check``: configured against measured links; ``faults``: what is broken on purpose, and when.
- ``fidelity``: emulated against simulated; ``causes``: why real modules take longer.
"""
