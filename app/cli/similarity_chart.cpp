#include "app/cli/similarity_chart.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace mirror::cli {

namespace {

constexpr double kWidth = 720, kHeight = 220;
constexpr double kLeft = 44, kRight = 12, kTop = 14, kBottom = 30;
constexpr double kHighest = 1;

constexpr const char* kStyle =
    "<style>text{font:12px system-ui,sans-serif;fill:#6b6f76}"
    ".grid{stroke:#e4e4e0}.cut{stroke:#b9b9b3;stroke-dasharray:2 4}.others{stroke:#9a8f7d;stroke-dasharray:6 4}"
    ".line{stroke:#1f5fbf;stroke-width:2;fill:none;stroke-linejoin:round}.dot{fill:#1f5fbf}"
    "@media(prefers-color-scheme:dark){text{fill:#a3a7ad}.grid{stroke:#30333a}.cut{stroke:#5a5e66}"
    ".others{stroke:#8d8372}.line{stroke:#7fb0ff}.dot{fill:#7fb0ff}}</style>";

// The program never chooses a locale, so the point is a point.
std::string number(double value, int digits = 1) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.*f", digits, value);
    return text.data();
}

class Plot {
public:
    explicit Plot(const SimilarityChart& chart) : chart_(chart) {
        for (const auto& value : chart.frames) lowest_ = std::min(lowest_, value.value_or(0));
        lowest_ = std::max(-1.0, lowest_ < 0 ? lowest_ - 0.05 : 0.0);
    }

    std::string text() {
        svg_ =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 220\" role=\"img\">"
            "<title>Similarity to the reference, frame by frame</title>";
        svg_ += kStyle;
        grid();
        cuts();
        others();
        curve();
        return svg_ + "</svg>\n";
    }

private:
    double x(double frame) const {
        const double last = std::max<double>(1, static_cast<double>(chart_.frames.size()) - 1);
        return kLeft + frame / last * (kWidth - kLeft - kRight);
    }
    double y(double value) const {
        return kTop +
               (kHighest - std::clamp(value, lowest_, kHighest)) / (kHighest - lowest_) * (kHeight - kTop - kBottom);
    }
    void line(const char* kind, double x0, double y0, double x1, double y1) {
        svg_ += std::string("<line class=\"") + kind + "\" x1=\"" + number(x0) + "\" y1=\"" + number(y0) + "\" x2=\"" +
                number(x1) + "\" y2=\"" + number(y1) + "\"/>";
    }
    void label(double at_x, double at_y, const char* anchor, const std::string& words) {
        svg_ += "<text x=\"" + number(at_x) + "\" y=\"" + number(at_y) + "\" text-anchor=\"" + anchor + "\">" + words +
                "</text>";
    }

    void grid() {
        for (const double value : {0.0, 0.25, 0.5, 0.75, 1.0}) {
            line("grid", kLeft, y(value), kWidth - kRight, y(value));
            label(kLeft - 8, y(value) + 4, "end", number(value, 2));
        }
        label(kLeft, kHeight - 8, "start", "frame 1");
        label(kWidth - kRight, kHeight - 8, "end", std::to_string(chart_.frames.size()));
    }
    void cuts() {
        for (std::size_t i = 0; i < chart_.cuts.size(); ++i) {
            const double at = x(chart_.cuts[i] - 0.5);
            line("cut", at, kTop, at, kHeight - kBottom);
            label(at + 6, kHeight - 8, "start", "shot " + std::to_string(i + 2));
        }
    }
    void others() {
        if (!chart_.others) return;
        line("others", kLeft, y(*chart_.others), kWidth - kRight, y(*chart_.others));
        label(kWidth - kRight, y(*chart_.others) - 5, "end", "nearest other person");
    }
    void curve() {
        std::string points;
        const auto flush = [&] {
            if (!points.empty()) svg_ += "<polyline class=\"line\" points=\"" + points + "\"/>";
            points.clear();
        };
        for (std::size_t i = 0; i < chart_.frames.size(); ++i) {
            const bool cut =
                std::find(chart_.cuts.begin(), chart_.cuts.end(), static_cast<int>(i)) != chart_.cuts.end();
            if (cut || !chart_.frames[i]) flush();
            if (!chart_.frames[i]) continue;
            const std::string at_x = number(x(static_cast<double>(i))), at_y = number(y(*chart_.frames[i]));
            points += (points.empty() ? "" : " ") + at_x + "," + at_y;
            svg_ += "<circle class=\"dot\" cx=\"" + at_x + "\" cy=\"" + at_y + "\" r=\"2.5\"/>";
        }
        flush();
    }

    const SimilarityChart& chart_;
    double lowest_ = 0;
    std::string svg_;
};

}  // namespace

std::string svg_of(const SimilarityChart& chart) { return Plot(chart).text(); }

}  // namespace mirror::cli
