// A picture drawn and packed by a library in C++: picture/FORMAT.
import sharp from 'sharp';

export async function work([format]) {
  const drawing = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="9" height="9"/></svg>';
  const packed = await sharp(Buffer.from(drawing)).resize(20).toFormat(format).toBuffer();
  const { width, height } = await sharp(packed).metadata();
  return `${(await sharp(packed).metadata()).format} ${width}x${height}`;
}
