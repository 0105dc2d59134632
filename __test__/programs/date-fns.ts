// Calculates with dates and writes them in languages: date-fns.

import {
  addMonths,
  differenceInCalendarDays,
  eachDayOfInterval,
  format,
  formatDistance,
  parseISO,
} from 'date-fns';
import { de } from 'date-fns/locale';

export default {
  fetch(request: Request): Response {
    const { searchParams } = new URL(request.url);
    const from = parseISO(searchParams.get('from') ?? '');
    const to = addMonths(from, 1);
    return Response.json({
      to: format(to, 'yyyy-MM-dd'),
      days: differenceInCalendarDays(to, from),
      each: eachDayOfInterval({ start: from, end: to }).length,
      german: format(from, 'EEEE, d. MMMM yyyy', { locale: de }),
      distance: formatDistance(from, to),
    });
  },
};
