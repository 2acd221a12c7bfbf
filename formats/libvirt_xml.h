// SPDX-License-Identifier: LGPL-2.1-or-later
// What a domain's XML says that QEMU's stream does not.
#ifndef VMI_FORMATS_LIBVIRT_XML_H
#define VMI_FORMATS_LIBVIRT_XML_H

#include "formats/fmt.h"
#include "formats/qemu_stream.h"

// Name and machine as facts of the image, addresses of DIMMs as hints.
void libvirt_xml(const char *xml, struct image *img, struct qemu_hints *hints);

#endif
