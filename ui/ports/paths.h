#pragma once

// File names between Qt and the standard library, byte for byte.

#include <QFile>
#include <QString>
#include <filesystem>

namespace mirror::ui {

inline std::filesystem::path pathOf(const QString& file) { return QFile::encodeName(file).toStdString(); }

inline QString textOf(const std::filesystem::path& file) {
    return QFile::decodeName(QByteArray::fromStdString(file.native()));
}

}  // namespace mirror::ui
