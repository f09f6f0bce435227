#include "descriptor-source.h"

#include <errno.h>
#include <fcntl.h>
#include <gst/base/gstbasesrc.h>
#include <unistd.h>

typedef struct {
  GstBaseSrc parent;
  int fd;
  ProbePart part;
} DescriptorSource;

typedef struct {
  GstBaseSrcClass parent;
} DescriptorSourceClass;

GType descriptor_source_get_type (void);
G_DEFINE_TYPE (DescriptorSource, descriptor_source, GST_TYPE_BASE_SRC)

static gboolean
get_size (GstBaseSrc *source, guint64 *size)
{
  *size = probe_part_size (&((DescriptorSource *) source)->part);
  return TRUE;
}

static gboolean
is_seekable (GstBaseSrc *source)
{
  return TRUE;
}

static gssize
read_at (const DescriptorSource *self, guint8 *data, gsize size, guint64 offset)
{
  gsize done = 0;

  while (done < size) {
    gssize n = probe_part_read (&self->part, self->fd, data + done, size - done, offset + done);

    if (n < 0)
      return -1;
    if (n == 0)
      break;
    done += (gsize) n;
  }
  return (gssize) done;
}

static GstFlowReturn
fill (GstBaseSrc *source, guint64 offset, guint size, GstBuffer *buffer)
{
  GstMapInfo map;
  gssize n;

  if (!gst_buffer_map (buffer, &map, GST_MAP_WRITE)) {
    GST_ELEMENT_ERROR (source, RESOURCE, READ, ("not enough memory"), (NULL));
    return GST_FLOW_ERROR;
  }
  n = read_at ((DescriptorSource *) source, map.data, size, offset);
  gst_buffer_unmap (buffer, &map);
  if (n < 0) {
    GST_ELEMENT_ERROR (source, RESOURCE, READ, ("%s", g_strerror (errno)), (NULL));
    return GST_FLOW_ERROR;
  }
  if (n == 0 && size > 0)
    return GST_FLOW_EOS;
  gst_buffer_resize (buffer, 0, n);
  GST_BUFFER_OFFSET (buffer) = offset;
  GST_BUFFER_OFFSET_END (buffer) = offset + (guint64) n;
  return GST_FLOW_OK;
}

static void
finalize (GObject *object)
{
  DescriptorSource *self = (DescriptorSource *) object;

  if (self->fd >= 0)
    close (self->fd);
  g_clear_pointer (&self->part.header, g_bytes_unref);
  G_OBJECT_CLASS (descriptor_source_parent_class)->finalize (object);
}

static void
descriptor_source_class_init (DescriptorSourceClass *class)
{
  GstBaseSrcClass *base = GST_BASE_SRC_CLASS (class);
  GstElementClass *element = GST_ELEMENT_CLASS (class);
  GstCaps *any = gst_caps_new_any ();

  G_OBJECT_CLASS (class)->finalize = finalize;
  base->get_size = get_size;
  base->is_seekable = is_seekable;
  base->fill = fill;
  gst_element_class_add_pad_template (
    element, gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, any));
  gst_element_class_set_static_metadata (element, "Open file", "Source/File",
                                         "Reads a file that is open already", "segue");
  gst_caps_unref (any);
}

static void
descriptor_source_init (DescriptorSource *self)
{
  self->fd = -1;
  gst_base_src_set_blocksize (GST_BASE_SRC (self), 4096);
}

GstElement *
descriptor_source_new (int fd, const ProbePart *part)
{
  int own = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  DescriptorSource *self;

  if (own < 0)
    return NULL;
  self = g_object_new (descriptor_source_get_type (), NULL);
  self->fd = own;
  self->part = *part;
  if (part->header)
    g_bytes_ref (part->header);
  return GST_ELEMENT (self);
}
