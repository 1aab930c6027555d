#pragma once

// The course of a run as a table and as a picture.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/core/frame.h"
#include "engine/training/training_task.h"

namespace mirror::engine::training {

class LossCurve {
public:
    struct Row {
        std::int64_t samples = 0;
        Measures values;  // "loss" first.
    };

    void add(std::int64_t samples, Measures values) { rows_.push_back({samples, std::move(values)}); }
    bool empty() const { return rows_.empty(); }

    // Comma-separated with a heading line. Rows may have different measures: the heading has all of them.
    std::string csv() const;
    // Reads what csv() has written; rows behind `samples` are left out. Nothing if the file is not there.
    static LossCurve read(const std::filesystem::path& file, std::int64_t samples);

    // The measure "loss" over the samples, the vertical axis logarithmic; the limits of both axes in digits.
    Frame picture(int width = 720, int height = 400) const;

private:
    std::vector<Row> rows_;
};

}  // namespace mirror::engine::training
