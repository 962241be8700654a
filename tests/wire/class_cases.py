"""Texts of results: the classes in them, most probable first."""

from __future__ import annotations

from typing import Any


def case(name: str, text: str, *classes: tuple[int, int, str]) -> dict[str, Any]:
    """Return a case: the text in hex and its classes (index, probability in 1/65535, label)."""
    read = [{"index": index, "probability": probability, "label": label} for index, probability, label in classes]
    return {"name": name, "text": text, "classes": read}


def malformed(name: str, text: str) -> dict[str, Any]:
    """Return a case whose text ends inside a class."""
    return {"name": name, "text": text, "malformed": True}


def cases() -> list[dict[str, Any]]:
    """Return all cases."""
    cat = "0100ff7f03636174"
    return [
        case("no_class", ""),
        case("one_class", cat, (1, 0x7FFF, "cat")),
        case("two_classes", cat + "1801" "cc0c" "06" "746162627921", (1, 0x7FFF, "cat"), (280, 3276, "tabby!")),
        case("smallest_and_largest_numbers", "0000" "0000" "01" "61" "ffff" "ffff" "01" "62",
             (0, 0, "a"), (65535, 65535, "b")),
        case("label_without_bytes", "0100" "0200" "00", (1, 2, "")),
        case("label_of_two_byte_characters", "0700" "0080" "06" "4bc3bc636865", (7, 32768, "Küche")),
        case("label_of_four_byte_characters", "0900" "0100" "08" "f09f909ff09f909f", (9, 1, "\U0001f41f\U0001f41f")),
        case("longest_label", "0100" "0100" "ff" + "78" * 255, (1, 1, "x" * 255)),
        malformed("one_byte", "01"),
        malformed("numbers_without_a_length", cat[:8]),
        malformed("label_cut_short", cat[:-2]),
        malformed("length_beyond_the_end", "0100" "ff7f" "ff" "636174"),
        malformed("second_class_cut_short", cat + "0200"),
    ]  # fmt: skip
