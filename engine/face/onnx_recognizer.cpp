#include "engine/face/onnx_recognizer.h"

#include <opencv2/dnn.hpp>

#include <cmath>
#include <exception>
#include <new>
#include <utility>

#include "engine/core/utf8.h"
#include "engine/face/onnx_network.h"

namespace mirror::face {
namespace {

constexpr int aligned_side = 112;

// SFace, and exports of ArcFace that normalise by themselves, want the colours as they are.
cv::Mat network_input(const Frame& aligned, bool raw_colours) {
    const cv::Mat picture(aligned.height, aligned.width, CV_8UC3, const_cast<std::uint8_t*>(aligned.rgb.data()));
    return raw_colours ? cv::dnn::blobFromImage(picture)
                       : cv::dnn::blobFromImage(picture, 1 / 127.5, {}, cv::Scalar::all(127.5));
}

}  // namespace

OnnxRecognizer::OnnxRecognizer(std::filesystem::path file, NetworkKind kind)
    : file_(std::move(file)), kind_(kind), id_pack_(id_pack_of(kind, file_)) {}

OnnxRecognizer::~OnnxRecognizer() = default;

std::vector<float> OnnxRecognizer::embed_one(const Frame& aligned) {
    if (aligned.width != aligned_side || aligned.height != aligned_side)
        throw EngineError(ErrorCode::ShapeMismatch, "A face must be 112 x 112 pixels to be recognised.");
    if (!network_) network_ = std::make_unique<OnnxNetwork>(file_, "The face recogniser", aligned_side);
    if (network_->kind() != kind_) network_->refuse(std::string("is no ") + to_text(kind_) + ".");
    const bool raw_colours = kind_ == NetworkKind::SFace || network_->normalizes();
    const auto outputs = network_->run(network_input(aligned, raw_colours));
    const int numbers = kind_ == NetworkKind::SFace ? 128 : 512;
    if (outputs.size() != 1 || outputs[0].rows.rows != 1 || outputs[0].rows.cols != numbers)
        network_->refuse("does not put out " + std::to_string(numbers) + " numbers a face.");
    const auto* first = outputs[0].rows.ptr<float>(0);
    std::vector<float> vector(first, first + numbers);
    for (const float value : vector)
        if (!std::isfinite(value)) network_->refuse("puts out NaN or infinity.");
    return vector;
}

Result<std::vector<std::vector<float>>> OnnxRecognizer::embed(std::span<const Frame> aligned) {
    try {
        std::vector<std::vector<float>> vectors;
        for (const Frame& face : aligned) vectors.push_back(embed_one(face));
        return vectors;
    } catch (const EngineError& error) {
        return error.error();
    } catch (const std::bad_alloc&) {
        return Error{ErrorCode::OutOfMemory,
                     "The face recogniser " + path_for_message(file_.filename()) + " needs more memory than there is."};
    } catch (const std::exception&) {
        return Error{ErrorCode::Internal,
                     "The face recogniser " + path_for_message(file_.filename()) + " could not be run."};
    }
}

}  // namespace mirror::face
