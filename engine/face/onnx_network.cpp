#include "engine/face/onnx_network.h"

#include <opencv2/dnn.hpp>

#include <algorithm>
#include <array>
#include <utility>

#include "engine/core/utf8.h"
#include "engine/formats/onnx_input_size.h"
#include "engine/weights/mapped_file.h"

namespace mirror::face {
namespace {

cv::Mat as_rows(const cv::Mat& output) {
    const int columns = output.dims > 0 ? output.size[output.dims - 1] : 0;
    if (columns <= 0 || output.type() != CV_32F || output.empty()) return {};
    const cv::Mat packed = output.isContinuous() ? output : output.clone();
    return packed.reshape(1, static_cast<int>(packed.total() / static_cast<std::size_t>(columns)));
}

// insightface's rule: a subtraction and a multiplication among the first operations.
bool begins_with_normalization(const formats::OnnxOutline& outline) {
    const auto& first = outline.first_operations;
    const auto has = [&](const char* operation) {
        return std::find(first.begin(), first.end(), operation) != first.end();
    };
    return has("Sub") && has("Mul");
}

}  // namespace

struct OnnxNetwork::Loaded {
    cv::dnn::Net net;
    std::vector<cv::String> outputs;
};

OnnxNetwork::OnnxNetwork(const std::filesystem::path& file, std::string role, int side)
    : file_(file), role_(std::move(role)), side_(side), loaded_(std::make_unique<Loaded>()) {
    const auto mapped = engine::MappedFile::open(file);
    if (!mapped) throw EngineError(mapped.error());
    const auto bytes = mapped.value()->bytes();
    const auto outline = formats::parse_onnx_outline(bytes, "");
    const std::array<std::int64_t, 4> size{1, 3, side, side};
    const auto sized = formats::with_input_size(bytes, size, "");
    if (!outline || !sized) refuse("is no ONNX network that can be read.");
    kind_ = kind_of(outline.value());
    normalizes_ = begins_with_normalization(outline.value());
    try {
        loaded_->net = cv::dnn::readNetFromONNX(sized.value().data(), sized.value().size());
        loaded_->net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
        loaded_->net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
        for (const formats::OnnxValue& output : outline.value().outputs) loaded_->outputs.push_back(output.name);
    } catch (const cv::Exception&) {
        refuse("is no ONNX network that can be read.");
    }
}

OnnxNetwork::~OnnxNetwork() = default;

std::vector<NetworkOutput> OnnxNetwork::run(const cv::Mat& picture) {
    std::vector<cv::Mat> tables;
    try {
        loaded_->net.setInput(picture);
        loaded_->net.forward(tables, loaded_->outputs);
    } catch (const cv::Exception&) {
        refuse("cannot be run on pictures of " + std::to_string(side_) + " x " + std::to_string(side_) + ".");
    }
    std::vector<NetworkOutput> outputs;
    for (std::size_t i = 0; i < tables.size(); ++i) outputs.push_back({loaded_->outputs[i], as_rows(tables[i])});
    return outputs;
}

void OnnxNetwork::refuse(const std::string& what) const {
    throw EngineError(ErrorCode::MalformedFile, role_ + " " + path_for_message(file_.filename()) + " " + what);
}

}  // namespace mirror::face
