import pytest

from alharness.errors import DataError, Diverged, HarnessError, ModelError, SamplerError, blaming, described


class Unspeakable(Exception):
    def __str__(self):
        raise ValueError("no")


def raised(error, kind=SamplerError, **options):
    with pytest.raises(BaseException) as caught, blaming("x (x 1.0)", kind, **options):
        raise error
    return caught.value


def test_an_exception_in_a_plugin_becomes_an_error_that_names_the_plugin_and_keeps_its_cause():
    cause = TypeError("no such thing")
    error = raised(cause, ModelError)
    assert type(error) is ModelError
    assert str(error) == "x (x 1.0): TypeError: no such thing"
    assert error.unexpected
    assert error.__cause__ is cause


@pytest.mark.parametrize("cause", [SystemExit(0), Unspeakable(), OSError("disk"), BaseException("bare")])
def test_nothing_that_a_plugin_raises_escapes(cause):
    assert isinstance(raised(cause), SamplerError)


def test_an_error_of_the_right_kind_gets_the_name_and_is_expected():
    error = raised(SamplerError("too few"))
    assert str(error) == "x (x 1.0): too few"
    assert not error.unexpected


def test_an_error_of_another_kind_is_still_that_of_the_plugin():
    assert type(raised(Diverged("loss"))) is SamplerError
    assert type(raised(DataError("gone"))) is SamplerError


def test_the_innermost_name_stays():
    with pytest.raises(HarnessError) as caught, blaming("sampler", SamplerError), blaming("model", ModelError):
        raise ValueError
    assert str(caught.value) == "model: ValueError"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError()])
def test_errors_of_the_user_and_of_the_machine_pass(error):
    assert raised(error) is error


def test_errors_that_are_let_through_stay_as_they_are():
    assert str(raised(Diverged("loss"), ModelError, passing=(Diverged,))) == "loss"


def test_an_exception_without_a_text_of_its_own_is_described_all_the_same():
    assert described(Unspeakable()) == "Unspeakable: (its text cannot be made: ValueError)"
    assert described(KeyError()) == "KeyError"
