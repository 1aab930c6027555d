// tokenize_lines MODEL: each line of the input is a text as hexadecimal UTF-8; each line of the output is its pieces as
// "id:begin:end" separated by spaces. For tests/parity/tokenizer_check.py.

#include <iostream>
#include <string>

#include "engine/text/tokenizer.h"

namespace {

std::string from_hex(const std::string& line) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < line.size(); i += 2)
        bytes.push_back(static_cast<char>(std::stoi(line.substr(i, 2), nullptr, 16)));
    return bytes;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) return 2;
    const auto tokenizer = mirror::engine::Tokenizer::open(argv[1]);
    if (!tokenizer) {
        std::cerr << tokenizer.error().detail << '\n';
        return 1;
    }
    std::string line;
    while (std::getline(std::cin, line)) {
        const auto pieces = tokenizer.value().tokenize(from_hex(line));
        if (!pieces) return 1;
        for (const auto& piece : pieces.value()) std::cout << piece.id << ':' << piece.begin << ':' << piece.end << ' ';
        std::cout << '\n';
    }
    return 0;
}
