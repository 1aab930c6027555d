// Writes the vocabulary of the captions as a spiece.model.
//
//   mirror_people_vocabulary WORDS.txt OUT.model

#include <fstream>
#include <iostream>

#include "engine/core/durable_replace.h"
#include "tests/people/vocabulary_file.h"

int main(int count, char** arguments) {
    if (count != 3) {
        std::cerr << "usage: mirror_people_vocabulary WORDS.txt OUT.model\n";
        return 2;
    }
    const std::string bytes = mirror::people_test::vocabulary_bytes(mirror::people_test::words_of(arguments[1]));
    const mirror::Status written = mirror::durable_replace(arguments[2], bytes);
    if (!written.ok()) std::cerr << written.error().detail << '\n';
    return written.ok() ? 0 : 1;
}
