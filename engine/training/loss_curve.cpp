#include "engine/training/loss_curve.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

namespace mirror::engine::training {

namespace {

struct Colour {
    std::uint8_t red, green, blue;
};

constexpr Colour kPaper{255, 255, 255}, kInk{60, 60, 70}, kGrid{226, 228, 234}, kLine{36, 99, 201};
constexpr int kMargin = 44;
constexpr int kDigitWidth = 3, kDigitHeight = 5, kDigitScale = 2;

// Rows of three pixels for 0 to 9, '.', '-' and 'e'.
constexpr std::array<std::array<std::uint8_t, 5>, 13> kGlyphs{{{7, 5, 5, 5, 7},
                                                               {2, 6, 2, 2, 7},
                                                               {7, 1, 7, 4, 7},
                                                               {7, 1, 7, 1, 7},
                                                               {5, 5, 7, 1, 1},
                                                               {7, 4, 7, 1, 7},
                                                               {7, 4, 7, 5, 7},
                                                               {7, 1, 1, 1, 1},
                                                               {7, 5, 7, 5, 7},
                                                               {7, 5, 7, 1, 7},
                                                               {0, 0, 0, 0, 2},
                                                               {0, 0, 7, 0, 0},
                                                               {0, 6, 7, 4, 6}}};

const std::array<std::uint8_t, 5>* glyph_of(char c) {
    if (c >= '0' && c <= '9') return &kGlyphs[static_cast<std::size_t>(c - '0')];
    if (c == '.') return &kGlyphs[10];
    if (c == '-') return &kGlyphs[11];
    return c == 'e' ? &kGlyphs[12] : nullptr;
}

void put(Frame& frame, int x, int y, Colour colour) {
    if (x < 0 || y < 0 || x >= frame.width || y >= frame.height) return;
    std::uint8_t* pixel = frame.row(y) + static_cast<std::ptrdiff_t>(x) * 3;
    pixel[0] = colour.red;
    pixel[1] = colour.green;
    pixel[2] = colour.blue;
}

void write_number(Frame& frame, int x, int y, double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.4g", value);
    for (const char* c = text.data(); *c != '\0'; ++c, x += (kDigitWidth + 1) * kDigitScale) {
        const auto* glyph = glyph_of(*c);
        if (glyph == nullptr) continue;
        for (int i = 0; i < kDigitHeight * kDigitScale; ++i) {
            for (int j = 0; j < kDigitWidth * kDigitScale; ++j) {
                const auto row = (*glyph)[static_cast<std::size_t>(i / kDigitScale)];
                if ((row >> (kDigitWidth - 1 - j / kDigitScale)) & 1) put(frame, x + j, y + i, kInk);
            }
        }
    }
}

void draw_line(Frame& frame, double x0, double y0, double x1, double y1) {
    const int steps = std::max(1, static_cast<int>(std::ceil(std::max(std::abs(x1 - x0), std::abs(y1 - y0)))));
    for (int i = 0; i <= steps; ++i) {
        const double t = static_cast<double>(i) / steps;
        const int x = static_cast<int>(std::lround(x0 + t * (x1 - x0)));
        const int y = static_cast<int>(std::lround(y0 + t * (y1 - y0)));
        put(frame, x, y, kLine);
        put(frame, x, y + 1, kLine);
    }
}

std::vector<std::string> headings_of(const std::vector<LossCurve::Row>& rows) {
    std::vector<std::string> names;
    for (const auto& row : rows) {
        for (const auto& value : row.values) {
            if (std::find(names.begin(), names.end(), value.first) == names.end()) names.push_back(value.first);
        }
    }
    return names;
}

const double* value_of(const LossCurve::Row& row, const std::string& name) {
    for (const auto& value : row.values) {
        if (value.first == name) return &value.second;
    }
    return nullptr;
}

std::vector<std::string> fields_of(const std::string& line) {
    std::vector<std::string> fields;
    std::istringstream stream(line);
    for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
    return fields;
}

struct Point {
    double samples;
    double log_loss;
};

std::vector<Point> points_of(const std::vector<LossCurve::Row>& rows) {
    std::vector<Point> points;
    for (const auto& row : rows) {
        const double* loss = value_of(row, "loss");
        if (loss != nullptr && *loss > 0) points.push_back({static_cast<double>(row.samples), std::log(*loss)});
    }
    return points;
}

}  // namespace

std::string LossCurve::csv() const {
    const auto names = headings_of(rows_);
    std::string text = "samples";
    for (const auto& name : names) text += "," + name;
    text += "\n";
    for (const Row& row : rows_) {
        text += std::to_string(row.samples);
        for (const auto& name : names) {
            const double* value = value_of(row, name);
            std::array<char, 32> number{};
            if (value != nullptr) std::snprintf(number.data(), number.size(), "%.6g", *value);
            text += std::string(",") + number.data();
        }
        text += "\n";
    }
    return text;
}

LossCurve LossCurve::read(const std::filesystem::path& file, std::int64_t samples) {
    LossCurve curve;
    std::ifstream stream(file);
    std::string line;
    if (!std::getline(stream, line)) return curve;
    const auto names = fields_of(line);
    while (std::getline(stream, line)) {
        const auto fields = fields_of(line);
        const std::int64_t position = fields.empty() ? 0 : std::strtoll(fields[0].c_str(), nullptr, 10);
        if (fields.empty() || position > samples) break;
        Measures values;
        for (std::size_t i = 1; i < fields.size() && i < names.size(); ++i) {
            if (!fields[i].empty()) values.emplace_back(names[i], std::strtod(fields[i].c_str(), nullptr));
        }
        curve.add(position, std::move(values));
    }
    return curve;
}

Frame LossCurve::picture(int width, int height) const {
    Frame frame{width, height, {}};
    for (int i = 0; i < width * height; ++i) frame.rgb.insert(frame.rgb.end(), {kPaper.red, kPaper.green, kPaper.blue});
    const auto points = points_of(rows_);
    if (points.empty()) return frame;
    const auto by_loss = [](const Point& a, const Point& b) { return a.log_loss < b.log_loss; };
    const double low = std::min_element(points.begin(), points.end(), by_loss)->log_loss;
    const double high = std::max(std::max_element(points.begin(), points.end(), by_loss)->log_loss, low + 1e-6);
    const double most = std::max(points.back().samples, 1.0);
    const double right = width - 12, bottom = height - kMargin, top = 12;
    for (int i = 0; i <= 4; ++i) {
        const int y = static_cast<int>(top + (bottom - top) * i / 4);
        for (int x = kMargin + 20; x < right; ++x) put(frame, x, y, kGrid);
        write_number(frame, 4, y - kDigitHeight, std::exp(high - (high - low) * i / 4));
    }
    const double left = kMargin + 20;
    const auto x_of = [&](const Point& p) { return left + (right - left) * p.samples / most; };
    const auto y_of = [&](const Point& p) { return top + (bottom - top) * (high - p.log_loss) / (high - low); };
    for (std::size_t i = 1; i < points.size(); ++i)
        draw_line(frame, x_of(points[i - 1]), y_of(points[i - 1]), x_of(points[i]), y_of(points[i]));
    write_number(frame, static_cast<int>(left), height - 24, 0.0);
    write_number(frame, width - 90, height - 24, most);
    return frame;
}

}  // namespace mirror::engine::training
