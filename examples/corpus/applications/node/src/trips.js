export const trips = [{ to: 'Málaga', days: 7 }, { to: 'Tromsø', days: 3 }];
