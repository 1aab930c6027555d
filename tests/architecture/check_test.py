"""The checker itself: each rule fires on a line that breaks it and stays silent on one that does not."""

import unittest

import check


def messages(checker, name, *lines):
    return [text for _, text in checker(name, list(lines))]


class Includes(unittest.TestCase):
    def test_a_toolkit_out_of_place_is_found(self):
        cases = [
            ("ui/views/viewer.cpp", "#include <ATen/ATen.h>"),
            ("engine/core/frame.h", "#include <QImage>"),
            ("engine/media/mp4_sink.cpp", "#include <opencv2/core.hpp>"),
        ]
        for name, line in cases:
            self.assertEqual(len(messages(check.check_includes, name, line)), 1, name)

    def test_an_allowed_include_is_silent(self):
        self.assertEqual(messages(check.check_includes, "engine/tensor/layers.cpp", "#include <ATen/ATen.h>"), [])
        self.assertEqual(messages(check.check_includes, "ui/views/viewer.cpp", '#include "engine/core/frame.h"'), [])

    def test_the_engine_is_out_of_reach_of_the_window(self):
        self.assertEqual(
            len(messages(check.check_includes, "ui/views/viewer.cpp", '#include "engine/session/session.h"')), 1
        )


class Sizes(unittest.TestCase):
    def test_a_long_function_is_found(self):
        body = ["    step();"] * 70
        self.assertEqual(len(messages(check.check_sizes, "engine/core/a.cpp", "void run() {", *body, "}")), 1)

    def test_a_short_function_is_silent(self):
        self.assertEqual(messages(check.check_sizes, "engine/core/a.cpp", "void run() {", "    step();", "}"), [])

    def test_a_long_file_is_found(self):
        self.assertEqual(len(messages(check.check_sizes, "engine/core/a.cpp", *["int x;"] * 501)), 1)


class Words(unittest.TestCase):
    def test_names_and_texts(self):
        self.assertEqual(len(messages(check.check_names, "engine/core/a.cpp", "class FaceManager {")), 1)
        self.assertEqual(len(messages(check.check_names, "engine/core/a.h", "int x;")), 1)
        self.assertEqual(len(messages(check.check_text, "engine/core/a.cpp", "} catch (...) {")), 1)
        self.assertEqual(messages(check.check_text, "engine/session/error_boundary.cpp", "} catch (...) {"), [])


if __name__ == "__main__":
    unittest.main()
