#pragma once

// The demo's one page: pictures, videos and curves beside the reference, as HTML that opens without a server.

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mirror::cli {

// A video of the page; files are names beside the page.
struct DemoVideo {
    std::string file;
    std::string poster;                // Its middle frame.
    std::string chart;                 // The identity curve; empty if there is none.
    std::vector<std::string> prompts;  // One a shot.
    std::optional<double> similarity;  // Mean over the frames with a face.
    std::size_t frames = 0;
    std::size_t faces = 0;  // Frames with a face.
    int width = 0;
    int height = 0;
    double seconds = 0;  // That it took to make.
};

struct DemoPage {
    std::string reference;
    std::string reference_name;  // What the person is called; empty for one's own picture.
    std::string strip;           // The steps as a row of pictures.
    std::vector<int> strip_steps;
    DemoVideo clip;
    DemoVideo story;
    std::optional<double> nearest_other;                     // Similarity of the nearest other person of the examples.
    std::vector<std::pair<std::string, std::string>> facts;  // "Model", "pocket"
    std::vector<std::string> notices;
    bool random_weights = false;
};

std::string html_of(const DemoPage& page);

}  // namespace mirror::cli
