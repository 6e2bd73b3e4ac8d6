"""MLflow: the tracker that writes to it, its stores, its dashboard and its server."""
