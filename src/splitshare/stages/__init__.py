"""What the commands do: ``run(options)`` of each, and ``show`` where it prints what that returns."""
