"""The query strategies of scikit-activeml, as samplers `skactiveml/<name>`."""
