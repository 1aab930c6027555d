#include "engine/training/face_numbers.h"

#include <cstddef>
#include <vector>

namespace mirror::engine::training {

at::Tensor numbers_of(const FaceBox& face) {
    std::vector<float> numbers;
    for (const double x : {face.x0, face.y0, face.x1, face.y1}) numbers.push_back(static_cast<float>(x));
    for (const Point& point : face.landmarks) {
        numbers.push_back(static_cast<float>(point.x));
        numbers.push_back(static_cast<float>(point.y));
    }
    return at::tensor(numbers, at::kFloat);
}

FaceBox face_from(const at::Tensor& numbers) {
    const auto at = [values = numbers.const_data_ptr<float>()](std::size_t i) {
        return static_cast<double>(values[i]);
    };
    FaceBox face{at(0), at(1), at(2), at(3), 1.0, {}};
    for (std::size_t i = 0; i < face.landmarks.size(); ++i) face.landmarks[i] = {at(4 + 2 * i), at(5 + 2 * i)};
    return face;
}

}  // namespace mirror::engine::training
