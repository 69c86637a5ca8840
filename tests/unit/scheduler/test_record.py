"""What a notebook shows of its run."""

from t3lib import record


def test_values_are_aligned_and_long_ones_are_wrapped_between_words(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, raw: shown.append(data))
    record.show(rows_read=11820, finding="word " * 30)
    first, *lines = shown[0]["text/plain"].splitlines()
    assert first == "       rows read  11,820"
    assert len(lines) == 2
    assert all(line.endswith("word") and len(line) <= 96 for line in lines)
    assert lines[1].startswith(" " * 18 + "word")
    assert shown[0][record.RECORD]["rows_read"] == 11820
