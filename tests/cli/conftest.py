import pytest


@pytest.fixture(autouse=True)
def wide_page(monkeypatch):
    """As wide as a page is without a terminal, wherever the tests run: some runners have their own idea of it."""
    monkeypatch.setenv("COLUMNS", "120")
